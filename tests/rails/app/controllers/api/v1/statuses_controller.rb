# frozen_string_literal: true

module Api
  module V1
    class StatusesController < Api::BaseController
      before_action -> { doorkeeper_authorize! :write, :'write:statuses' }, only: :create
      before_action :require_user!, only: :create

      def show
        render json: Status.find(params[:id])
      end

      def create
        status = Status.create!(account: current_user.account, text: params[:status], media_ids: Array(params[:media_ids]).join(','))
        Streams.update(status.as_json)
        render json: status
      end
    end
  end
end
